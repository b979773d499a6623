"""The raw store as first released."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('batches',
    sa.Column('batch_id', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('file_sha256', sa.String(length=64), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_by_release', sa.String(length=120), nullable=True),
    sa.PrimaryKeyConstraint('batch_id', name=op.f('pk_batches'))
    )
    op.create_table('employment',
    sa.Column('employee_key', sa.String(length=64), nullable=False),
    sa.Column('hired_on', sa.Date(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('left_on', sa.Date(), nullable=True),
    sa.Column('leave_type', sa.String(length=12), nullable=True),
    sa.Column('department', sa.Text(), nullable=True),
    sa.Column('location', sa.Text(), nullable=True),
    sa.Column('grade', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('employee_key', 'hired_on', 'valid_from', name=op.f('pk_employment'))
    )
    op.create_table('engagement',
    sa.Column('employee_key', sa.String(length=64), nullable=False),
    sa.Column('measured_on', sa.Date(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('scale_max', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('employee_key', 'measured_on', name=op.f('pk_engagement'))
    )
    op.create_table('engagement_groups',
    sa.Column('group', sa.Text(), nullable=False),
    sa.Column('measured_on', sa.Date(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('mean', sa.Float(), nullable=False),
    sa.Column('sd', sa.Float(), nullable=False),
    sa.Column('scale_max', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('group', 'measured_on', name=op.f('pk_engagement_groups'))
    )
    op.create_table('people',
    sa.Column('person_id', sa.String(length=120), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('time_zone', sa.String(length=60), nullable=True),
    sa.Column('department', sa.Text(), nullable=True),
    sa.Column('location', sa.Text(), nullable=True),
    sa.Column('grade', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_people'))
    )
    op.create_table('programmes',
    sa.Column('programme_id', sa.String(length=120), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('decisions', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('programme_id', name=op.f('pk_programmes'))
    )
    op.create_table('snapshots',
    sa.Column('snapshot_id', sa.String(length=64), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('snapshot_id', name=op.f('pk_snapshots'))
    )
    op.create_table('batch_changes',
    sa.Column('batch_id', sa.String(length=120), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=60), nullable=False),
    sa.Column('key', sa.JSON(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=True),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.batch_id'], name=op.f('fk_batch_changes_batch_id')),
    sa.PrimaryKeyConstraint('batch_id', 'position', name=op.f('pk_batch_changes'))
    )
    op.create_table('pairings',
    sa.Column('pairing_id', sa.String(length=120), nullable=False),
    sa.Column('programme_id', sa.String(length=120), nullable=False),
    sa.Column('cohort', sa.Text(), nullable=True),
    sa.Column('mentor_id', sa.String(length=120), nullable=False),
    sa.Column('mentee_id', sa.String(length=120), nullable=False),
    sa.Column('started_on', sa.Date(), nullable=False),
    sa.Column('planned_end_on', sa.Date(), nullable=True),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('end_reason', sa.Text(), nullable=True),
    sa.CheckConstraint('mentor_id <> mentee_id', name=op.f('ck_pairings_two_people')),
    sa.ForeignKeyConstraint(['mentee_id'], ['people.person_id'], name=op.f('fk_pairings_mentee_id')),
    sa.ForeignKeyConstraint(['mentor_id'], ['people.person_id'], name=op.f('fk_pairings_mentor_id')),
    sa.ForeignKeyConstraint(['programme_id'], ['programmes.programme_id'], name=op.f('fk_pairings_programme_id')),
    sa.PrimaryKeyConstraint('pairing_id', name=op.f('pk_pairings'))
    )
    with op.batch_alter_table('pairings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pairings_programme_id'), ['programme_id'], unique=False)

    op.create_table('quarantine',
    sa.Column('batch_id', sa.String(length=120), nullable=False),
    sa.Column('row_number', sa.Integer(), nullable=False),
    sa.Column('column', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.batch_id'], name=op.f('fk_quarantine_batch_id')),
    sa.PrimaryKeyConstraint('batch_id', 'row_number', 'column', name=op.f('pk_quarantine'))
    )
    op.create_table('rounds',
    sa.Column('round_id', sa.String(length=120), nullable=False),
    sa.Column('programme_id', sa.String(length=120), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('pulse', sa.String(length=40), nullable=False),
    sa.Column('snapshot_id', sa.String(length=64), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['programme_id'], ['programmes.programme_id'], name=op.f('fk_rounds_programme_id')),
    sa.ForeignKeyConstraint(['snapshot_id'], ['snapshots.snapshot_id'], name=op.f('fk_rounds_snapshot_id')),
    sa.PrimaryKeyConstraint('round_id', name=op.f('pk_rounds')),
    sa.UniqueConstraint('programme_id', 'number', name=op.f('uq_rounds_programme_id_number'))
    )
    op.create_table('goals',
    sa.Column('goal_id', sa.String(length=120), nullable=False),
    sa.Column('pairing_id', sa.String(length=120), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('set_on', sa.Date(), nullable=False),
    sa.Column('is_agreed', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['pairing_id'], ['pairings.pairing_id'], name=op.f('fk_goals_pairing_id')),
    sa.PrimaryKeyConstraint('goal_id', name=op.f('pk_goals')),
    sa.UniqueConstraint('pairing_id', 'position', name=op.f('uq_goals_pairing_id_position'))
    )
    with op.batch_alter_table('goals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_goals_pairing_id'), ['pairing_id'], unique=False)

    op.create_table('invitations',
    sa.Column('invitation_id', sa.String(length=120), nullable=False),
    sa.Column('round_id', sa.String(length=120), nullable=False),
    sa.Column('pairing_id', sa.String(length=120), nullable=False),
    sa.Column('side', sa.String(length=6), nullable=False),
    sa.Column('person_id', sa.String(length=120), nullable=False),
    sa.Column('form', sa.Integer(), nullable=False),
    sa.Column('cohort', sa.Text(), nullable=False),
    sa.Column('department', sa.Text(), nullable=False),
    sa.Column('location', sa.Text(), nullable=False),
    sa.Column('grade', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['pairing_id'], ['pairings.pairing_id'], name=op.f('fk_invitations_pairing_id')),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_invitations_person_id')),
    sa.ForeignKeyConstraint(['round_id'], ['rounds.round_id'], name=op.f('fk_invitations_round_id')),
    sa.PrimaryKeyConstraint('invitation_id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('round_id', 'pairing_id', 'side', name=op.f('uq_invitations_round_id_pairing_id_side'))
    )
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitations_person_id'), ['person_id'], unique=False)

    op.create_table('links',
    sa.Column('token_sha256', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=20), nullable=False),
    sa.Column('person_id', sa.String(length=120), nullable=False),
    sa.Column('round_id', sa.String(length=120), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.person_id'], name=op.f('fk_links_person_id')),
    sa.ForeignKeyConstraint(['round_id'], ['rounds.round_id'], name=op.f('fk_links_round_id')),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('pk_links'))
    )
    op.create_table('goal_levels',
    sa.Column('goal_id', sa.String(length=120), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['goal_id'], ['goals.goal_id'], name=op.f('fk_goal_levels_goal_id')),
    sa.PrimaryKeyConstraint('goal_id', 'level', name=op.f('pk_goal_levels'))
    )
    op.create_table('responses',
    sa.Column('response_id', sa.String(length=120), nullable=False),
    sa.Column('invitation_id', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.String(length=120), nullable=False),
    sa.Column('content_sha256', sa.String(length=64), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.String(length=40), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=True),
    sa.Column('is_complete', sa.Boolean(), nullable=False),
    sa.Column('is_counted', sa.Boolean(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=True),
    sa.Column('is_comment_for_release', sa.Boolean(), nullable=False),
    sa.Column('batch_id', sa.String(length=120), nullable=True),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitations.invitation_id'], name=op.f('fk_responses_invitation_id')),
    sa.PrimaryKeyConstraint('response_id', name=op.f('pk_responses')),
    sa.UniqueConstraint('invitation_id', 'version', name=op.f('uq_responses_invitation_id_version')),
    sa.UniqueConstraint('submission_id', 'content_sha256', name=op.f('uq_responses_submission_id_content_sha256'))
    )
    op.create_table('answers',
    sa.Column('response_id', sa.String(length=120), nullable=False),
    sa.Column('question_id', sa.String(length=120), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['response_id'], ['responses.response_id'], name=op.f('fk_answers_response_id')),
    sa.PrimaryKeyConstraint('response_id', 'question_id', name=op.f('pk_answers'))
    )
    op.create_table('goal_ratings',
    sa.Column('response_id', sa.String(length=120), nullable=False),
    sa.Column('goal_id', sa.String(length=120), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['goal_id'], ['goals.goal_id'], name=op.f('fk_goal_ratings_goal_id')),
    sa.ForeignKeyConstraint(['response_id'], ['responses.response_id'], name=op.f('fk_goal_ratings_response_id')),
    sa.PrimaryKeyConstraint('response_id', 'goal_id', name=op.f('pk_goal_ratings'))
    )
