"""What is read from and kept in files beside the results: arrays that are checked, folders that are private."""
