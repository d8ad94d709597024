-- Control group, novelty, and the bounds and calibration that made the outcome of a score.
ALTER TABLE fraudwatch.core_verdicts ADD COLUMNS (
  is_control BOOLEAN COMMENT 'reviewed although the score alone would decline it',
  is_novel BOOLEAN COMMENT 'reviewed because it is very unusual, although the model calls it harmless',
  review_from_score DOUBLE COMMENT 'NULL: the score is no probability of a model',
  decline_from_score DOUBLE COMMENT 'NULL: no score declines',
  calibration STRING COMMENT 'first twelve hex digits of its hash; empty: no model'
);
