"""What the programme team did for a pairing."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('actions',
    sa.Column('action_id', sa.String(length=120), nullable=False),
    sa.Column('pairing_id', sa.String(length=120), nullable=False),
    sa.Column('person_id', sa.String(length=120), nullable=True),
    sa.Column('round_id', sa.String(length=120), nullable=True),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('done_on', sa.Date(), nullable=False),
    sa.Column('noted_by', sa.Text(), nullable=False),
    sa.CheckConstraint("kind in ('contact', 'talked', 'wrote', 'met', 'other')", name=op.f('ck_actions_kind')),
    sa.ForeignKeyConstraint(['pairing_id'], ['pairings.pairing_id'], name=op.f('fk_actions_pairing_id')),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_actions_person_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_actions'))
    )
    op.create_index(op.f('ix_actions_pairing_id'), 'actions', ['pairing_id'], unique=False)
