-- Week by week: parts decided, what was held and failed, and inspectors' hours; before and after a change. The difference
-- is that between the weeks since and the line that the weeks before carry on (segmented regression, in which a week may
-- resemble the one before). What customers report comes late and is only part of what escapes, so it stands by itself and
-- never beside an estimate.
SELECT
    date_trunc('week', local_hour) AS bucket,
    sum(n)::BIGINT AS parts,
    sum(CASE WHEN outcome = 'HOLD' THEN n ELSE 0 END)::BIGINT AS held,
    sum(CASE WHEN outcome = 'FAIL' THEN n ELSE 0 END)::BIGINT AS failed,
    count(DISTINCT local_hour::DATE) AS days
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
ORDER BY ALL
