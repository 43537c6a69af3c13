-- Tasks that were opened, by hour, day or week.
SELECT date_trunc($grain, local_at) AS bucket, count(*) AS opened
FROM tasks
WHERE local_at >= $since AND kind = 'triage'
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
GROUP BY bucket
ORDER BY bucket
