"""The ground of the quality management system: the kernel and the chapters all others stand on."""
