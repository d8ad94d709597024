-- The source (shop) of each row, and its distinct customers on the day and in the week around it
-- (Monday to Sunday). Rows from before have none until their days are built again.
ALTER TABLE fraudwatch.out_fraud_by_day ADD COLUMNS (
  source STRING COMMENT 'the shop or system that reported the purchases',
  customers BIGINT COMMENT 'distinct customers',
  customers_of_week BIGINT COMMENT 'distinct customers from Monday to Sunday'
);

ALTER TABLE fraudwatch.out_fraud_by_country ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

ALTER TABLE fraudwatch.out_fraud_by_merchant ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

ALTER TABLE fraudwatch.out_fraud_by_category ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

ALTER TABLE fraudwatch.out_fraud_by_hour ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

ALTER TABLE fraudwatch.out_rule_performance ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

ALTER TABLE fraudwatch.out_money ADD COLUMNS (
  source STRING, customers BIGINT, customers_of_week BIGINT
);

-- Frauds that the calibrated model expected, and those that became known.
CREATE TABLE IF NOT EXISTS fraudwatch.out_calibration (
  event_on DATE, source STRING,
  calibration STRING COMMENT 'first twelve hex digits of its hash',
  probability_from DOUBLE COMMENT 'lower bound of the band of probability',
  scored BIGINT COMMENT 'purchases with a calibrated verdict',
  expected_fraud DOUBLE COMMENT 'sum of their probabilities of fraud',
  known_fraud BIGINT, known_genuine BIGINT, customers BIGINT, customers_of_week BIGINT,
  labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

-- Views without a row of fewer than ten customers, for viewers and exports. A week of a shop, country
-- or merchant is shown by day if each of its days has ten, else as one row on its Monday if the week has
-- ten, else not at all: by day in part, its other days would follow from the sum of the week. The row
-- that was built last knows all of the week.
CREATE OR REPLACE VIEW fraudwatch.report_fraud_by_day AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(purchases) AS purchases, sum(amount_eur_cents) AS amount_eur_cents, sum(judged) AS judged,
  sum(alerts) AS alerts, sum(reviewed) AS reviewed, sum(challenged) AS challenged,
  sum(declined) AS declined, sum(known_fraud) AS known_fraud,
  sum(known_genuine) AS known_genuine, sum(known_fraud_eur_cents) AS known_fraud_eur_cents,
  sum(alerts_known_fraud) AS alerts_known_fraud, sum(alerts_decided) AS alerts_decided,
  sum(alerts_decided_fraud) AS alerts_decided_fraud,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_fraud_by_day
  WINDOW cell AS (PARTITION BY source, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source;

CREATE OR REPLACE VIEW fraudwatch.report_fraud_by_country AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source, merchant_country,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(purchases) AS purchases, sum(amount_eur_cents) AS amount_eur_cents, sum(judged) AS judged,
  sum(alerts) AS alerts, sum(reviewed) AS reviewed, sum(challenged) AS challenged,
  sum(declined) AS declined, sum(known_fraud) AS known_fraud,
  sum(known_genuine) AS known_genuine, sum(known_fraud_eur_cents) AS known_fraud_eur_cents,
  sum(alerts_known_fraud) AS alerts_known_fraud, sum(alerts_decided) AS alerts_decided,
  sum(alerts_decided_fraud) AS alerts_decided_fraud,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_fraud_by_country
  WINDOW cell AS (PARTITION BY source, merchant_country, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source, merchant_country;

CREATE OR REPLACE VIEW fraudwatch.report_fraud_by_merchant AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source, merchant_id,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(purchases) AS purchases, sum(amount_eur_cents) AS amount_eur_cents, sum(judged) AS judged,
  sum(alerts) AS alerts, sum(reviewed) AS reviewed, sum(challenged) AS challenged,
  sum(declined) AS declined, sum(known_fraud) AS known_fraud,
  sum(known_genuine) AS known_genuine, sum(known_fraud_eur_cents) AS known_fraud_eur_cents,
  sum(alerts_known_fraud) AS alerts_known_fraud, sum(alerts_decided) AS alerts_decided,
  sum(alerts_decided_fraud) AS alerts_decided_fraud,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_fraud_by_merchant
  WINDOW cell AS (PARTITION BY source, merchant_id, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source, merchant_id;

CREATE OR REPLACE VIEW fraudwatch.report_fraud_by_category AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source, category,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(purchases) AS purchases, sum(amount_eur_cents) AS amount_eur_cents, sum(judged) AS judged,
  sum(alerts) AS alerts, sum(reviewed) AS reviewed, sum(challenged) AS challenged,
  sum(declined) AS declined, sum(known_fraud) AS known_fraud,
  sum(known_genuine) AS known_genuine, sum(known_fraud_eur_cents) AS known_fraud_eur_cents,
  sum(alerts_known_fraud) AS alerts_known_fraud, sum(alerts_decided) AS alerts_decided,
  sum(alerts_decided_fraud) AS alerts_decided_fraud,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_fraud_by_category
  WINDOW cell AS (PARTITION BY source, category, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source, category;

CREATE OR REPLACE VIEW fraudwatch.report_rule_performance AS
SELECT
  if(fewest_customers >= 10, event_on, week_on) AS event_on,
  week_on, if(fewest_customers >= 10, 'day', 'week') AS period,
  source, rule,
  if(min(fewest_customers) >= 10, min(customers), max(week_customers)) AS customers,
  sum(hits) AS hits, sum(hits_known_fraud) AS hits_known_fraud,
  sum(hits_known_genuine) AS hits_known_genuine, sum(hits_decided) AS hits_decided,
  sum(hits_decided_fraud) AS hits_decided_fraud, sum(sole_hit_alerts) AS sole_hit_alerts,
  max(labels_known_until) AS labels_known_until
FROM (
  SELECT *, CAST(date_trunc('week', event_on) AS DATE) AS week_on,
    min(coalesce(customers, 0)) OVER cell AS fewest_customers,
    max(coalesce(customers_of_week, 0)) OVER cell AS week_customers
  FROM fraudwatch.out_rule_performance
  WINDOW cell AS (PARTITION BY source, rule, date_trunc('week', event_on))
)
WHERE week_customers >= 10
GROUP BY 1, week_on, 3, source, rule;

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

