-- Each target with its measured value, 95% interval and n. A target is met, or missed, only where the whole interval says
-- so. Misses, escapes, false rejects and accuracy come from audits and from what was held, as in the chart of rates;
-- here: parts that were decided, and those that the model could give a score for.
SELECT count(*) AS parts, count(score) AS scored
FROM decisions
WHERE local_at >= $since AND local_at < $until AND number = 1
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
