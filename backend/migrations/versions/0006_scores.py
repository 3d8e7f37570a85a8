"""Scores of tasks beside losses, those on test rows, and examples of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCORES = (
    *(
        f"validation_{name}"
        for name in ("macro_f1", "matthews", "pearson", "spearman", "bleu", "chrf", "ter", "rouge_l")
    ),
    *(f"test_{name}" for name in ("loss", "loss_se", "accuracy", "macro_f1", "matthews", "pearson", "spearman")),
)


def upgrade() -> None:
    """Add the columns; what was recorded before has none of these numbers."""
    with op.batch_alter_table("evaluations") as table:
        for name in SCORES:
            table.add_column(sa.Column(name, sa.Float(), nullable=True))
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("examples", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop them, with what they hold."""
    with op.batch_alter_table("runs") as table:
        table.drop_column("examples")
    with op.batch_alter_table("evaluations") as table:
        for name in SCORES:
            table.drop_column(name)
