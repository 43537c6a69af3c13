-- What inspectors answered, by day or week on the site's own clock: items answered, and how many that is for an hour of
-- looking, from the seconds that a part was on somebody's screen. Answers that were taken back are not counted.
SELECT
    date_trunc($grain, local_day) AS bucket,
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END AS key,
    sum(n)::BIGINT AS items,
    sum(timed)::BIGINT AS timed,
    sum(milliseconds)::BIGINT AS milliseconds
FROM answers
WHERE local_day >= $since AND local_day < $until
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
HAVING sum(n) > 0
ORDER BY ALL
