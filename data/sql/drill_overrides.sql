-- The parts behind one pattern of answers against the model, the newest first.
WITH told AS (
    SELECT *,
        CASE
            WHEN outcome = 'FAIL' OR (outcome = 'HOLD' AND score >= 0.5) THEN coalesce(model_class, 'FAIL')
            WHEN outcome = 'PASS' OR (outcome = 'HOLD' AND score < 0.5) THEN 'PASS'
        END AS model_said,
        CASE
            WHEN verdict IN ('FAIL', 'REWORK') THEN coalesce(class, 'FAIL')
            WHEN verdict = 'PASS' THEN 'PASS'
        END AS inspector_said
    FROM reviews
    WHERE sign > 0 AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
      AND local_at >= $from AND local_at < $to
      AND ($line IS NULL OR line_id = $line)
      AND ($camera IS NULL OR camera_id = $camera)
      AND ($part_type IS NULL OR part_type_id = $part_type)
      AND ($model IS NULL OR model = $model)
      AND ($policy IS NULL OR policy = $policy)
)
SELECT part_id, image_id, site_id, local_at, outcome, score, model_said, inspector_said
FROM told
WHERE (($model_said = 'PASS') = (model_said = 'PASS')) AND (($inspector_said = 'PASS') = (inspector_said = 'PASS'))
  AND ($model_said IN ('PASS', 'FAIL') OR model_said = $model_said)
  AND ($inspector_said IN ('PASS', 'FAIL') OR inspector_said = $inspector_said)
ORDER BY local_at DESC, id DESC
LIMIT $most
