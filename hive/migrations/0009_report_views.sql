-- Core tables for people who write SQL: without tokens, sealed fields, card digits, coordinates, names
-- of analysts and examples. The login reports reads these views, never the tables below them.
CREATE VIEW IF NOT EXISTS fraudwatch.report_transactions (
  transaction_id, event_on COMMENT 'UTC day of the purchase', event_at,
  amount_minor COMMENT 'in the smallest unit of its currency', currency, amount_eur_cents,
  payment_status, channel, merchant_id, category, item_count, merchant_country, billing_country,
  shipping_country, origin COMMENT 'log or extract'
) COMMENT 'One row a purchase'
AS SELECT
  transaction_id, event_on, timestamp_millis(event_at_ms) AS event_at, amount_minor, currency,
  amount_eur_cents, payment_status, channel, merchant_id, category, item_count, merchant_country,
  billing_country, shipping_country, origin
FROM fraudwatch.core_transactions;

CREATE VIEW IF NOT EXISTS fraudwatch.report_verdicts (
  transaction_id, event_on COMMENT 'UTC day of the purchase', event_at, decided_at,
  outcome COMMENT 'approve, review, challenge or decline',
  risk COMMENT 'LOW, MEDIUM, HIGH or CRITICAL', score, mode, rules, model_scores, route,
  policy_version, features_version, risk_view, calibration, is_control, is_novel,
  review_from_score, decline_from_score, amount_eur_cents, payment_status, channel, merchant_id,
  category, merchant_country
) COMMENT 'The current verdict of each purchase'
AS SELECT
  transaction_id, event_on, timestamp_millis(event_at_ms) AS event_at,
  timestamp_millis(decided_at_ms) AS decided_at, outcome, risk, score, mode, rules, model_scores,
  route, policy_version, features_version, risk_view, calibration, is_control, is_novel,
  review_from_score, decline_from_score, amount_eur_cents, payment_status, channel, merchant_id,
  category, merchant_country
FROM fraudwatch.core_verdicts;

CREATE VIEW IF NOT EXISTS fraudwatch.report_labels (
  transaction_id, known_on COMMENT 'UTC day of the label', known_at,
  verdict COMMENT 'fraud, genuine or unsure', source COMMENT 'analyst or chargeback'
) COMMENT 'One row a label'
AS SELECT transaction_id, known_on, timestamp_millis(known_at_ms) AS known_at, verdict, source
FROM fraudwatch.core_labels;

CREATE VIEW IF NOT EXISTS fraudwatch.report_rejected_purchases
COMMENT 'Purchases of the extract that the edge refused: the reason, never the content'
AS SELECT origin, event_on, code, reason FROM fraudwatch.core_rejected_purchases;

CREATE VIEW IF NOT EXISTS fraudwatch.report_reconciliation
COMMENT 'Differences of one class when a day of the stream was recomputed'
AS SELECT
  produced_on, finding, is_fault, rows, purchases, run_id, reconciled_at, code_version
FROM fraudwatch.core_reconciliation;

CREATE VIEW IF NOT EXISTS fraudwatch.report_drift
COMMENT 'Drift of a feature, a score or a ratio of a day against the reference days'
AS SELECT
  event_on, what, name, value, reference_value, rows, reference_rows, judgement,
  said AS explanation, reference, run_id, monitored_at
FROM fraudwatch.core_drift;

CREATE VIEW IF NOT EXISTS fraudwatch.report_job_outcomes (
  ended_on, run_id, job, from_at, until_at, rows_in, rows_out, rows_rejected,
  reasons COMMENT 'JSON: number of rejected rows by reason', began_at, ended_at, code_version
) COMMENT 'One row a run of a batch job'
AS SELECT
  ended_on, run_id, job, timestamp_millis(from_ms) AS from_at,
  timestamp_millis(until_ms) AS until_at, rows_in, rows_out, rows_rejected, reasons,
  timestamp_millis(began_at_ms) AS began_at, timestamp_millis(ended_at_ms) AS ended_at,
  code_version
FROM fraudwatch.core_job_outcomes;
