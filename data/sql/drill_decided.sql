-- The parts behind one bar of what was decided, the newest first; with the last answer that stands, where there is one.
WITH truths AS (
    {last_answers}
)
SELECT
    d.part_id, d.image_id, d.site_id, d.local_at, d.outcome, d.score,
    CASE WHEN d.outcome = 'PASS' THEN 'PASS' ELSE coalesce(d.model_class, d.outcome) END AS model_said,
    CASE WHEN t.verdict = 'PASS' THEN 'PASS' ELSE coalesce(t.class, t.verdict) END AS inspector_said
FROM decisions d LEFT JOIN truths t ON t.decision_id = d.id
WHERE d.local_at >= $from AND d.local_at < $to
  {at_policy}
  AND ($key IS NULL OR $key =
      {by_policy}
  )
  AND ($outcome IS NULL OR d.outcome = $outcome OR ($outcome = 'stopped' AND d.outcome <> 'PASS'))
  AND ($audited IS NULL OR d.audited OR d.outcome = 'HOLD')
  AND ($defective IS NULL OR (t.verdict IN ('FAIL', 'REWORK')) = $defective)
  AND ($found IS NULL OR coalesce(t.verdict IN ('FAIL', 'REWORK'), d.outcome = 'FAIL'))
  AND ($classes IS NULL OR list_contains($classes, coalesce(t.class, d.model_class, 'not named')))
ORDER BY d.local_at DESC, d.id DESC
LIMIT $most
