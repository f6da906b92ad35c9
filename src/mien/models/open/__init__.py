"""The open model pack: networks and tables that come with mien, under permissive licences (see NOTICE)."""
