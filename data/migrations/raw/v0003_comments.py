"""What releasing comments needs: which batch decided about a comment."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('responses', sa.Column('comment_batch_id', sa.String(length=120), nullable=True))
