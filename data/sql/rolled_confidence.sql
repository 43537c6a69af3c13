-- Predictions by how sure the model was, in hundredths.
SELECT hundredth, sum(n)::BIGINT AS n
FROM confidence
GROUP BY ALL
ORDER BY ALL
