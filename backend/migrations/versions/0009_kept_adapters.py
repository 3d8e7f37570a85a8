"""Which step of its run an artifact is of, and which clocks stand there."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was kept before is of the last step."""
    with op.batch_alter_table("artifacts") as table:
        table.add_column(sa.Column("step", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("clocks", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("artifacts") as table:
        table.drop_column("clocks")
        table.drop_column("step")
