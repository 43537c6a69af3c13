-- The pictures behind one bar, those that took longest first.
SELECT
    NULL::BIGINT AS part_id, image_id, site_id, local_at, NULL::VARCHAR AS outcome, score,
    NULL::VARCHAR AS model_said, NULL::VARCHAR AS inspector_said
FROM predictions
WHERE local_at >= $from AND local_at < $to
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
 AND ($key IS NULL OR $key = CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
    END)
  AND ($confidence IS NULL OR (greatest(score, 1 - score) >= $confidence AND
       greatest(score, 1 - score) < $confidence + CASE WHEN $confidence >= 0.95 THEN 1 ELSE 0.05 END))
ORDER BY milliseconds DESC, id DESC
LIMIT $most
