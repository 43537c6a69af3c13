SELECT decision_id, arg_max(verdict, id) AS verdict, arg_max(class, id) AS class
FROM reviews
WHERE
  {stands_sure}
GROUP BY decision_id
