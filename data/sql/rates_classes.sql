-- The same by class. Of what passed, the class is the one that the inspector named; of what was stopped, precision and
-- false rejects go by the class that the model named, misses by the inspector's.
WITH
{audited_truths}
SELECT
    date_trunc($grain, decided_local) AS bucket,
    outcome,
    site_id,
    CASE WHEN defective THEN class END AS class,
    CASE WHEN outcome <> 'PASS' THEN model_class END AS model_class,
    defective,
    count(*) AS n,
    sum(weight) AS weight,
    sum(weight * weight) AS weight2
FROM truths
GROUP BY ALL
ORDER BY ALL
