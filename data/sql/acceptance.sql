-- Each target with its measured value, 95% interval and n. A target is met, or missed, only where the whole interval says
-- so. Misses, escapes, false rejects and accuracy come from audits and from what was held, as in the chart of rates;
-- here: parts that were decided, and those that the model could give a score for.
SELECT count(*) AS parts, count(score) AS scored
FROM decisions
WHERE local_at >= $since AND local_at < $until AND number = 1
  {at_policy}
