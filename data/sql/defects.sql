-- Defects found on each line, by class: what the inspector named where somebody looked, else what the model named on a
-- part that it failed. A part counts once, by the time of its decision. A class stands out on a line when it is more
-- frequent there than on the other lines of the same site, by Fisher's exact test; of all that are marked, at most one in
-- ten is expected to be chance (Benjamini and Hochberg).
WITH standing AS (
    SELECT * FROM reviews
    WHERE
      {stands_sure}
      AND decided_local >= $since AND decided_local < $until
), truths AS (
    SELECT decision_id, arg_max(verdict IN ('FAIL', 'REWORK'), id) AS defective, arg_max(class, id) AS class
    FROM standing
    GROUP BY decision_id
)
SELECT
    site_id, line_id,
    coalesce(t.class, d.model_class, 'not named') AS class,
    count(DISTINCT d.part_id) AS parts
FROM decisions d LEFT JOIN truths t ON t.decision_id = d.id
WHERE coalesce(t.defective, d.outcome = 'FAIL') AND line_id IS NOT NULL
  AND local_at >= $since AND local_at < $until
  {at_policy}
GROUP BY ALL
ORDER BY ALL
