"""Sources of frames: files, images, folders, cameras."""
