-- What people read. Days are UTC days of the purchase unless a column says otherwise; money is euro
-- cents. An alert is a verdict that did not approve. What cannot be told is NULL, never 0.
CREATE TABLE IF NOT EXISTS fraudwatch.out_fraud_by_day (
  event_on DATE,
  purchases BIGINT COMMENT 'all that are known, judged or not',
  amount_eur_cents BIGINT,
  judged BIGINT COMMENT 'purchases with a verdict; everything to the right is over these',
  alerts BIGINT COMMENT 'verdicts that did not approve',
  reviewed BIGINT,
  declined BIGINT,
  known_fraud BIGINT COMMENT 'labelled fraud by labels_known_until',
  known_genuine BIGINT COMMENT 'labelled genuine by labels_known_until',
  known_fraud_eur_cents BIGINT,
  alerts_known_fraud BIGINT COMMENT 'true positives',
  alerts_decided BIGINT COMMENT 'alerts that an analyst decided; chargebacks alone name no false alarm',
  alerts_decided_fraud BIGINT COMMENT 'of those, frauds',
  precision_ratio DOUBLE COMMENT 'alerts_decided_fraud / alerts_decided; NULL when none is decided',
  recall_ratio DOUBLE COMMENT 'alerts_known_fraud / known_fraud; NULL without known fraud',
  labels_known_until TIMESTAMP COMMENT 'labels of later than this are not in here'
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_fraud_by_country (
  event_on DATE, merchant_country STRING COMMENT 'NULL: unknown',
  purchases BIGINT, amount_eur_cents BIGINT, judged BIGINT, alerts BIGINT, reviewed BIGINT,
  declined BIGINT, known_fraud BIGINT, known_genuine BIGINT, known_fraud_eur_cents BIGINT,
  alerts_known_fraud BIGINT, alerts_decided BIGINT, alerts_decided_fraud BIGINT,
  precision_ratio DOUBLE, recall_ratio DOUBLE, labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_fraud_by_merchant (
  event_on DATE, merchant_id STRING,
  purchases BIGINT, amount_eur_cents BIGINT, judged BIGINT, alerts BIGINT, reviewed BIGINT,
  declined BIGINT, known_fraud BIGINT, known_genuine BIGINT, known_fraud_eur_cents BIGINT,
  alerts_known_fraud BIGINT, alerts_decided BIGINT, alerts_decided_fraud BIGINT,
  precision_ratio DOUBLE, recall_ratio DOUBLE, labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_fraud_by_category (
  event_on DATE, category STRING COMMENT 'NULL: unknown',
  purchases BIGINT, amount_eur_cents BIGINT, judged BIGINT, alerts BIGINT, reviewed BIGINT,
  declined BIGINT, known_fraud BIGINT, known_genuine BIGINT, known_fraud_eur_cents BIGINT,
  alerts_known_fraud BIGINT, alerts_decided BIGINT, alerts_decided_fraud BIGINT,
  precision_ratio DOUBLE, recall_ratio DOUBLE, labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_fraud_by_hour (
  event_on DATE, hour_of_day INT COMMENT '0 to 23, UTC',
  purchases BIGINT, amount_eur_cents BIGINT, judged BIGINT, alerts BIGINT, reviewed BIGINT,
  declined BIGINT, known_fraud BIGINT, known_genuine BIGINT, known_fraud_eur_cents BIGINT,
  alerts_known_fraud BIGINT, alerts_decided BIGINT, alerts_decided_fraud BIGINT,
  precision_ratio DOUBLE, recall_ratio DOUBLE, labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

-- A purchase may hit several rules, so that rows of a day do not add up.
CREATE TABLE IF NOT EXISTS fraudwatch.out_rule_performance (
  event_on DATE, rule STRING,
  hits BIGINT COMMENT 'judged purchases that the rule hit, alert or not',
  hits_known_fraud BIGINT,
  hits_known_genuine BIGINT,
  hits_decided BIGINT COMMENT 'hits that an analyst decided',
  hits_decided_fraud BIGINT,
  precision_ratio DOUBLE COMMENT 'hits_decided_fraud / hits_decided; NULL when none is decided',
  points BIGINT COMMENT 'all points that the rule gave',
  sole_hit_alerts BIGINT COMMENT 'alerts for which this rule is the only reason',
  labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_analyst_workload (
  known_on DATE COMMENT 'the day on which the analyst said so',
  analyst STRING,
  decisions BIGINT COMMENT 'labels said; a mind changed is another one',
  fraud BIGINT,
  genuine BIGINT,
  unsure BIGINT,
  median_minutes_to_decision DOUBLE COMMENT 'from the verdict of an alert to the label; NULL without one',
  labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (known_on);

-- Only purchases whose payment was approved: a payment that was refused moves no money.
CREATE TABLE IF NOT EXISTS fraudwatch.out_money (
  event_on DATE,
  judged_eur_cents BIGINT COMMENT 'all money that was judged',
  blocked_eur_cents BIGINT COMMENT 'declined, whatever it turned out to be',
  saved_eur_cents BIGINT COMMENT 'fraud loss prevented: declined and known fraud; NULL without any label',
  saved_unconfirmed_eur_cents BIGINT COMMENT 'declined and nobody has said what it was',
  wrongly_blocked_eur_cents BIGINT COMMENT 'false declines: declined and known genuine; NULL without any label',
  reviewed_fraud_eur_cents BIGINT COMMENT 'in review and known fraud: found, saved if the review was in time; NULL without any label',
  missed_eur_cents BIGINT COMMENT 'fraud loss: approved and known fraud; NULL without any label',
  value_recall_ratio DOUBLE COMMENT 'value detection rate: (saved + reviewed_fraud) / (saved + reviewed_fraud + missed)',
  labelled BIGINT COMMENT 'judged purchases that are known to be fraud or genuine',
  labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);

CREATE TABLE IF NOT EXISTS fraudwatch.out_pipeline_health (
  event_on DATE COMMENT 'every day of the interval has its row, a day without data too',
  transactions_from_log BIGINT,
  transactions_from_extract BIGINT COMMENT 'known from the daily extract alone; the stream never saw them',
  verdicts BIGINT,
  missing_verdicts BIGINT COMMENT 'from the log and without a verdict',
  purchases_rejected BIGINT COMMENT 'put aside by the edge while the extract was made',
  rejected_by_code STRING COMMENT 'JSON: code to purchases',
  jobs_done STRING COMMENT 'JSON: job to runs that ended on this day; a failed run leaves none',
  archived_until TIMESTAMP COMMENT 'newest transaction of the log produced on this day that the archive holds; NULL: none',
  minutes_behind DOUBLE COMMENT 'from there to the end of the day, or to the report on a day that is not over',
  labels_known_until TIMESTAMP
) USING delta PARTITIONED BY (event_on);
