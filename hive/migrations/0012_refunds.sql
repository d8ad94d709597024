-- Refunds, reversals and partial captures, by the day of their purchases.
CREATE TABLE IF NOT EXISTS fraudwatch.core_refunds (
  refund_id STRING, transaction_id STRING COMMENT 'of the purchase',
  purchased_at_ms BIGINT, refunded_at_ms BIGINT, customer_token STRING, amount_minor BIGINT,
  currency STRING, amount_eur_cents BIGINT COMMENT 'at the rate of the day of the purchase',
  rate_on STRING, reason STRING COMMENT 'refund, reversal or partial_capture', purchased_on DATE
) USING delta PARTITIONED BY (purchased_on);

-- What was given back of a row's purchases; rows from before have none until their days are built again.
ALTER TABLE fraudwatch.out_fraud_by_day ADD COLUMNS (refunded_eur_cents BIGINT);

ALTER TABLE fraudwatch.out_fraud_by_country ADD COLUMNS (refunded_eur_cents BIGINT);

ALTER TABLE fraudwatch.out_fraud_by_merchant ADD COLUMNS (refunded_eur_cents BIGINT);

ALTER TABLE fraudwatch.out_fraud_by_category ADD COLUMNS (refunded_eur_cents BIGINT);

ALTER TABLE fraudwatch.out_fraud_by_hour ADD COLUMNS (refunded_eur_cents BIGINT);

ALTER TABLE fraudwatch.out_money ADD COLUMNS (refunded_eur_cents BIGINT);

CREATE OR REPLACE VIEW fraudwatch.report_money AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(judged_eur_cents) AS judged_eur_cents, sum(blocked_eur_cents) AS blocked_eur_cents,
  sum(saved_eur_cents) AS saved_eur_cents,
  sum(saved_unconfirmed_eur_cents) AS saved_unconfirmed_eur_cents,
  sum(wrongly_blocked_eur_cents) AS wrongly_blocked_eur_cents,
  sum(reviewed_fraud_eur_cents) AS reviewed_fraud_eur_cents,
  sum(challenged_fraud_eur_cents) AS challenged_fraud_eur_cents,
  sum(missed_eur_cents) AS missed_eur_cents, sum(labelled) AS labelled,
  sum(refunded_eur_cents) AS refunded_eur_cents,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_money
  WINDOW cell AS (PARTITION BY source, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source;
