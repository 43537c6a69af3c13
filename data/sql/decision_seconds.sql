-- Seconds from seeing a part to answering it; p50 is the median, 95 in 100 took no longer than p95.
SELECT
    date_trunc($grain, local_at) AS bucket,
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END AS key,
    quantile_disc(seconds, 0.50) AS p50,
    quantile_disc(seconds, 0.95) AS p95,
    count(*) AS n
FROM reviews
WHERE local_at >= $since AND local_at < $until AND sign > 0 AND seconds IS NOT NULL
  AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
ORDER BY ALL
