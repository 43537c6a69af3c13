WHEN 'site' THEN site_id::VARCHAR
WHEN 'line' THEN line_id::VARCHAR
WHEN 'camera' THEN camera_id::VARCHAR
WHEN 'part type' THEN part_type_id::VARCHAR
WHEN 'model' THEN model
