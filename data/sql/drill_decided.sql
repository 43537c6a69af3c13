-- The parts behind one bar of what was decided, the newest first; with the last answer that stands, where there is one.
WITH truths AS (
    SELECT decision_id, arg_max(verdict, id) AS verdict, arg_max(class, id) AS class
    FROM reviews
    WHERE sign > 0 AND verdict <> 'UNSURE' AND kind <> 'gold'
      AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
    GROUP BY decision_id
)
SELECT
    d.part_id, d.image_id, d.site_id, d.local_at, d.outcome, d.score,
    CASE WHEN d.outcome = 'PASS' THEN 'PASS' ELSE coalesce(d.model_class, d.outcome) END AS model_said,
    CASE WHEN t.verdict = 'PASS' THEN 'PASS' ELSE coalesce(t.class, t.verdict) END AS inspector_said
FROM decisions d LEFT JOIN truths t ON t.decision_id = d.id
WHERE d.local_at >= $from AND d.local_at < $to
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
  AND ($key IS NULL OR $key = CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END)
  AND ($outcome IS NULL OR d.outcome = $outcome OR ($outcome = 'stopped' AND d.outcome <> 'PASS'))
  AND ($audited IS NULL OR d.audited OR d.outcome = 'HOLD')
  AND ($defective IS NULL OR (t.verdict IN ('FAIL', 'REWORK')) = $defective)
  AND ($found IS NULL OR coalesce(t.verdict IN ('FAIL', 'REWORK'), d.outcome = 'FAIL'))
  AND ($classes IS NULL OR list_contains($classes, coalesce(t.class, d.model_class, 'not named')))
ORDER BY d.local_at DESC, d.id DESC
LIMIT $most
