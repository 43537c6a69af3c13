-- Week by week: parts decided and failed, beside what audits, second looks and inspectors' seconds say of the same weeks,
-- before and after a change; the week of the change counts as before. Money is the site's own: what a failed part and an
-- escape cost stands in its baseline, and so do the figures of the time before, which were typed. What the change did is
-- the mean difference between the weeks since and the line that the weeks before carry on (segmented regression, in which
-- a week may resemble the one before). What customers report comes late and is only part of what escapes, so it is a
-- chart of its own and never beside an estimate.
SELECT
    date_trunc('week', local_hour) AS bucket,
    sum(n)::BIGINT AS parts,
    sum(CASE WHEN outcome = 'FAIL' THEN n ELSE 0 END)::BIGINT AS failed
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first
  {at_policy}
GROUP BY ALL
ORDER BY ALL
