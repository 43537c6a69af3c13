-- Answers by week, by what the model and what the inspector said.
SELECT date_trunc('week', local_day)::DATE AS week, model_said, inspector_said, sum(n)::BIGINT AS n
FROM answers
GROUP BY ALL
ORDER BY ALL
