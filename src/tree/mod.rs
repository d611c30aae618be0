//! Attribute tables: every setting of every kind of node, declared once, with its unit, default and help.
