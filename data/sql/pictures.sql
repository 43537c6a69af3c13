-- Pictures that the model has looked at.
SELECT count(*) AS n
FROM predictions
WHERE local_at >= $since AND local_at < $until
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
