AND ($line IS NULL OR line_id = $line)
AND ($camera IS NULL OR camera_id = $camera)
AND ($part_type IS NULL OR part_type_id = $part_type)
