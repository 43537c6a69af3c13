-- What was decided against what people found. Misses, escapes and false rejects come from audits alone: parts that
-- chance picked, with a recorded probability, from what passed or failed by itself; each counts for as many as it was
-- picked out of. What was held counts by its answers. Overrides are not used: nobody looks at what passed unless it is
-- audited. Counted by the time of the decision; the last answer that stands counts; n is how many answers a rate rests
-- on. Escape rate: of what passed by itself, the defective share. Miss rate: of what is defective, the share that passed
-- by itself. False reject rate: of what is good, the share that failed by itself. Precision and recall are about what was
-- stopped, that is held or failed.
WITH
{audited_truths}
SELECT
    date_trunc($grain, decided_local) AS bucket,
    {by_policy} AS key,
    outcome,
    count(*) AS n,
    sum(weight) AS weight,
    sum(weight * weight) AS weight2,
    sum(CASE WHEN defective THEN weight ELSE 0 END) AS defective
FROM truths
GROUP BY ALL
ORDER BY ALL
