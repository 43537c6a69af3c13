-- Parts that were decided on each line.
SELECT site_id, line_id, sum(n)::BIGINT AS parts
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first AND line_id IS NOT NULL
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
ORDER BY ALL
