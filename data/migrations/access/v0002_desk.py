"""The desk: work orders, what they made, operational views, and whom the Monday mail has reached."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('accounts', sa.Column('is_told_weekly', sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table('orders',
    sa.Column('order_id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('programme_id', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.String(length=120), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('asked_by', sa.String(length=254), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('told', sa.Text(), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state in ('waiting', 'working', 'done', 'refused')", name=op.f('ck_orders_state')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_orders')),
    sa.UniqueConstraint('programme_id', 'kind', 'subject', 'place', name=op.f('uq_orders_programme_id_kind_subject_place'))
    )
    op.create_index(op.f('ix_orders_state'), 'orders', ['state'], unique=False)
    op.create_table('order_files',
    sa.Column('order_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('content_base64', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.order_id'], name=op.f('fk_order_files_order_id')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_order_files'))
    )
    op.create_table('boards',
    sa.Column('programme_id', sa.String(length=120), nullable=False),
    sa.Column('name', sa.String(length=20), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('programme_id', 'name', name=op.f('pk_boards'))
    )
    op.create_table('monday_mails',
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('monday', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['email'], ['accounts.email'], name=op.f('fk_monday_mails_email')),
    sa.PrimaryKeyConstraint('email', 'monday', name=op.f('pk_monday_mails'))
    )
