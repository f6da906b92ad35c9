"""What is read from and kept in files beside the results: checked arrays, private folders, archives."""
