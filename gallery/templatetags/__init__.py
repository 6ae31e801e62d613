"""What templates draw the same way everywhere: photographs and icons."""
