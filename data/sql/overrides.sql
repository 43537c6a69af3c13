-- Answers that go against the model, by week on the site's own clock. A PASS says that the part is good, a FAIL that it
-- is defective; for a HOLD, what the model said is the side of one half that its score lies on. Where both say
-- defective, it is an override when they name different classes. Answers of UNSURE, and those that were taken back, are
-- not counted. Nobody looks at most of what passed, so overrides say nothing about how much escapes.
WITH told AS (
    SELECT
        date_trunc('week', local_day)::DATE AS week,
        CASE WHEN (model_said = 'PASS') = (inspector_said = 'PASS') THEN model_said
             WHEN model_said = 'PASS' THEN 'PASS' ELSE 'FAIL' END AS model_said,
        CASE WHEN (model_said = 'PASS') = (inspector_said = 'PASS') THEN inspector_said
             WHEN inspector_said = 'PASS' THEN 'PASS' ELSE 'FAIL' END AS inspector_said,
        n
    FROM answers
    WHERE local_day >= $since AND local_day < $until
      AND model_said IS NOT NULL AND inspector_said IS NOT NULL
      {at_policy}
), weeks AS (
    SELECT week, sum(n)::BIGINT AS answers FROM told GROUP BY week
), patterns AS (
    SELECT week, model_said, inspector_said, sum(n)::BIGINT AS count
    FROM told
    WHERE model_said <> inspector_said AND NOT (model_said = 'FAIL' AND inspector_said <> 'PASS')
      AND NOT (inspector_said = 'FAIL' AND model_said <> 'PASS')
    GROUP BY ALL
    HAVING sum(n) <> 0
)
SELECT
    week, model_said, inspector_said, count,
    count / sum(count) OVER (PARTITION BY week) AS share,
    answers
FROM patterns JOIN weeks USING (week)
ORDER BY week, model_said, inspector_said
