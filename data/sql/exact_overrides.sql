-- Answers by week, by what the model and what the inspector said, counted from every answer.
SELECT
    date_trunc('week', local_at)::DATE AS week,
    {both_said},
    sum(sign)::BIGINT AS n
FROM reviews
GROUP BY ALL
ORDER BY ALL
