-- How many parts were decided and how; a part that was decided again counts again.
SELECT
    date_trunc($grain, local_hour) AS bucket,
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END AS key,
    outcome,
    sum(n)::BIGINT AS decided
FROM hourly
WHERE local_hour >= $since AND local_hour < $until
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
ORDER BY ALL
