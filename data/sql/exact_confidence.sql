-- Predictions by how sure the model was, in hundredths, from every one.
SELECT least(floor(greatest(score, 1 - score) * 100), 99)::INTEGER AS hundredth, count(*) AS n
FROM predictions
WHERE score IS NOT NULL
GROUP BY ALL
ORDER BY ALL
