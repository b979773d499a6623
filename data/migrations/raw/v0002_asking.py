"""What asking on time needs: the outbox, replies, drafts, withdrawal and the timetable."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

def _at(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)

def _key(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length=120), nullable=nullable)

def upgrade() -> None:
    op.add_column('responses', _at('withdrawn_at'))
    op.create_table('drafts',
    _key('draft_id'),
    _key('invitation_id'),
    sa.Column('fields', sa.JSON(), nullable=False),
    _at('saved_at', nullable=False),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitations.invitation_id'], name=op.f('fk_drafts_invitation_id')),
    sa.PrimaryKeyConstraint('draft_id', name=op.f('pk_drafts'))
    )
    op.create_index(op.f('ix_drafts_invitation_id'), 'drafts', ['invitation_id'])
    op.create_table('messages',
    _key('message_id'),
    _key('round_id'),
    _key('person_id'),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(length=20), nullable=False),
    sa.Column('due_local', sa.String(length=16), nullable=False),
    sa.Column('time_zone', sa.String(length=60), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('owner', sa.String(length=60), nullable=True),
    _at('leased_until'),
    _at('not_before'),
    sa.Column('n_attempts', sa.Integer(), nullable=False),
    sa.Column('n_unknown', sa.Integer(), nullable=False),
    sa.Column('header_id', sa.Text(), nullable=True),
    sa.Column('nonce', sa.String(length=64), nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('body_sha256', sa.String(length=64), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    _at('changed_at', nullable=False),
    sa.CheckConstraint("kind in ('invitation', 'reminder', 'thanks', 'missed')", name=op.f('ck_messages_kind')),
    sa.CheckConstraint("state in ('planned', 'claimed', 'transmitting', 'accepted', 'refused', 'unknown', 'skipped')", name=op.f('ck_messages_state')),
    sa.ForeignKeyConstraint(['round_id'], ['rounds.round_id'], name=op.f('fk_messages_round_id')),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_messages_person_id')),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_messages')),
    sa.UniqueConstraint('round_id', 'person_id', 'kind', 'sequence', name=op.f('uq_messages_round_id_person_id_kind_sequence'))
    )
    op.create_index(op.f('ix_messages_person_id'), 'messages', ['person_id'])
    op.create_index('ix_messages_state_due_local', 'messages', ['state', 'due_local'])
    op.create_table('replies',
    _key('round_id'),
    sa.Column('said', sa.Text(), nullable=False),
    sa.Column('will', sa.Text(), nullable=False),
    sa.Column('written_by', sa.Text(), nullable=False),
    _at('written_at', nullable=False),
    sa.ForeignKeyConstraint(['round_id'], ['rounds.round_id'], name=op.f('fk_replies_round_id')),
    sa.PrimaryKeyConstraint('round_id', name=op.f('pk_replies'))
    )
    op.create_table('unsubscribed',
    _key('person_id'),
    _at('since', nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_unsubscribed_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_unsubscribed'))
    )
    op.create_table('bounces',
    _key('person_id'),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    _at('since', nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_bounces_person_id')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_bounces'))
    )
    op.create_table('jobs',
    sa.Column('job', sa.String(length=40), nullable=False),
    _at('next_at', nullable=False),
    sa.Column('owner', sa.String(length=60), nullable=True),
    _at('leased_until'),
    sa.Column('n_failed', sa.Integer(), nullable=False),
    _at('last_done_at'),
    sa.Column('last_said', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('job', name=op.f('pk_jobs'))
    )
    op.create_table('ticks',
    sa.Column('job', sa.String(length=40), nullable=False),
    _at('tick_at', nullable=False),
    _at('done_at', nullable=False),
    sa.PrimaryKeyConstraint('job', 'tick_at', name=op.f('pk_ticks'))
    )
