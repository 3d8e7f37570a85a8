"""What a list of studies shows: tags, and the verdict's headline; whom an invitation is for."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; headlines of studies that are there are written by the service when it runs."""
    with op.batch_alter_table("studies") as table:
        table.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("headline", sa.Text(), nullable=True))
        table.add_column(sa.Column("headline_state", sa.String(16), nullable=True))
        table.add_column(sa.Column("headline_seq", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("headline_by", sa.String(16), nullable=True))
    with op.batch_alter_table("invitations") as table:
        table.add_column(sa.Column("name", sa.String(100), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("invitations") as table:
        table.drop_column("name")
    with op.batch_alter_table("studies") as table:
        for column in ("headline_by", "headline_seq", "headline_state", "headline", "tags"):
            table.drop_column(column)
