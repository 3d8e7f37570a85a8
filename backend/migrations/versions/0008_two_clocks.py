"""What a run records of the two halves of its validation rows, and of the test rows at its best evaluation."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCORES = ("accuracy", "macro_f1", "matthews", "pearson", "spearman")
COLUMNS = (
    *(f"test_stopped_{name}" for name in ("loss", "loss_se", *SCORES)),
    "stopped_step",
    *(f"validation_{half}_{name}" for half in "ab" for name in ("loss", *SCORES)),
)


def upgrade() -> None:
    """Add the columns; what was recorded before has none of these numbers."""
    with op.batch_alter_table("evaluations") as table:
        for name in COLUMNS:
            table.add_column(sa.Column(name, sa.Float(), nullable=True))


def downgrade() -> None:
    """Drop them, with what they hold."""
    with op.batch_alter_table("evaluations") as table:
        for name in COLUMNS:
            table.drop_column(name)
