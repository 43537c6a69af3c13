-- Answers of each week, overrides or not.
SELECT date_trunc('week', local_day)::DATE AS week, sum(n)::BIGINT AS answers
FROM answers
WHERE local_day >= $since AND local_day < $until
  AND model_said IS NOT NULL AND inspector_said IS NOT NULL
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY week
ORDER BY week
