"""Read one stored purchase with its sealed fields from Cassandra, for the notifier."""

from __future__ import annotations

from cassandra.cluster import Session

from fraudwatch.adapters.store.rows import TRANSACTIONS, month_of, purchase_from
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.notifications.customer_notice import CustomerNotice


class CassandraPurchases:
    """``PurchaseReader`` with a role that may read this one table."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._purchase = session.prepare(
                f"SELECT purchase FROM {KEYSPACE}.{TRANSACTIONS.name} "  # noqa: S608  names are ours
                "WHERE customer_token = ? AND month = ? AND event_at = ? AND transaction_id = ?"
            )
        self._purchase.is_idempotent = True

    def purchase_of(self, notice: CustomerNotice) -> Transaction | None:
        at_ms = notice.event_at_ms
        key = (notice.customer_token, month_of(at_ms), at_ms, notice.transaction_id)
        with translate_driver_errors():
            row = self._session.execute(self._purchase, key).one()
        return purchase_from(row) if row else None
