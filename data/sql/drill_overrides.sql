-- The parts behind one pattern of answers against the model, the newest first.
WITH told AS (
    SELECT *,
        {both_said}
    FROM reviews
    WHERE
      {stands}
      AND local_at >= $from AND local_at < $to
      {at_policy}
)
SELECT part_id, image_id, site_id, local_at, outcome, score, model_said, inspector_said
FROM told
WHERE (($model_said = 'PASS') = (model_said = 'PASS')) AND (($inspector_said = 'PASS') = (inspector_said = 'PASS'))
  AND ($model_said IN ('PASS', 'FAIL') OR model_said = $model_said)
  AND ($inspector_said IN ('PASS', 'FAIL') OR inspector_said = $inspector_said)
ORDER BY local_at DESC, id DESC
LIMIT $most
