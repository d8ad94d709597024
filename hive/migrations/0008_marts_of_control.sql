-- The outcome challenge, and what the control group says about declines: its purchases are drawn evenly
-- from those that the score alone would decline, so that their precision is that of these declines.
ALTER TABLE fraudwatch.out_fraud_by_day ADD COLUMNS (
  challenged BIGINT COMMENT 'the shop was told to ask for more, such as a one-time code',
  control BIGINT COMMENT 'control group: reviewed although the score alone would decline',
  control_decided BIGINT COMMENT 'of those, decided by an analyst',
  control_decided_fraud BIGINT COMMENT 'of those, frauds',
  decline_precision_ratio DOUBLE COMMENT 'control_decided_fraud / control_decided; NULL: not measurable'
);

ALTER TABLE fraudwatch.out_fraud_by_country ADD COLUMNS (
  challenged BIGINT, control BIGINT, control_decided BIGINT, control_decided_fraud BIGINT,
  decline_precision_ratio DOUBLE
);

ALTER TABLE fraudwatch.out_fraud_by_merchant ADD COLUMNS (
  challenged BIGINT, control BIGINT, control_decided BIGINT, control_decided_fraud BIGINT,
  decline_precision_ratio DOUBLE
);

ALTER TABLE fraudwatch.out_fraud_by_category ADD COLUMNS (
  challenged BIGINT, control BIGINT, control_decided BIGINT, control_decided_fraud BIGINT,
  decline_precision_ratio DOUBLE
);

ALTER TABLE fraudwatch.out_fraud_by_hour ADD COLUMNS (
  challenged BIGINT, control BIGINT, control_decided BIGINT, control_decided_fraud BIGINT,
  decline_precision_ratio DOUBLE
);

ALTER TABLE fraudwatch.out_money ADD COLUMNS (
  challenged_fraud_eur_cents BIGINT COMMENT 'challenged and known fraud: saved if the challenge failed; NULL without any label'
);
