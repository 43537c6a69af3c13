{at_place}
AND ($model IS NULL OR model = $model)
