-- Milliseconds that the model took for one picture, hour by hour: half of the pictures took no longer than p50, 95 in
-- 100 no longer than p95, 99 in 100 no longer than p99.
SELECT
    date_trunc('hour', local_at) AS bucket,
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
    END AS key,
    quantile_disc(milliseconds, 0.50) AS p50,
    quantile_disc(milliseconds, 0.95) AS p95,
    quantile_disc(milliseconds, 0.99) AS p99,
    count(*) AS n
FROM predictions
WHERE local_at >= $since AND local_at < $until
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
GROUP BY ALL
ORDER BY ALL
