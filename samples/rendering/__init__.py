"""The renderer of the sample scenes: a pinhole camera over a ground plane, lit polygon meshes, and the exact truth.

World frame: metres, right-handed; x to the right, y along the street, z up, the ground at z = 0.
Object frame: x to the object's right, y the way it faces, z up, origin on the ground below its middle.
Colours are linear light, BGR; `material.paint` takes the usual 0–255 display values.

    scenes (street, square, market)
    └── stage      places actors frame by frame, gathers the truth
        ├── actors: car, heavy, motorbike, person, fire
        ├── scenery: ground, facades, trees
        └── raster ── light ── mesh ── camera
"""
