-- The pictures behind one bar, those that took longest first.
SELECT
    NULL::BIGINT AS part_id, image_id, site_id, local_at, NULL::VARCHAR AS outcome, score,
    NULL::VARCHAR AS model_said, NULL::VARCHAR AS inspector_said
FROM predictions
WHERE local_at >= $from AND local_at < $to
  {at_model}
  AND ($key IS NULL OR $key =
      {by_model}
  )
  AND ($confidence IS NULL OR (greatest(score, 1 - score) >= $confidence AND
       greatest(score, 1 - score) < $confidence + CASE WHEN $confidence >= 0.95 THEN 1 ELSE 0.05 END))
ORDER BY milliseconds DESC, id DESC
LIMIT $most
