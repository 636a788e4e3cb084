"""The declaration of a shake, and frames: places of a moved picture on the original one."""
