"""Share links that show a study's report, too."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; links that are there show no report."""
    with op.batch_alter_table("shares") as table:
        table.add_column(sa.Column("show_report", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("report", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("shares") as table:
        table.drop_column("report")
        table.drop_column("show_report")
