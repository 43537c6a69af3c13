-- Pictures that the model has looked at.
SELECT count(*) AS n
FROM predictions
WHERE local_at >= $since AND local_at < $until
  {at_model}
