# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
from setuptools import find_packages, setup

package_name = 'ptz_perception'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    package_data={package_name: ['py.typed', 'shipped/*.onnx', 'shipped/*.npy', 'shipped/*.md']},
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='ptz_collab maintainers',
    maintainer_email='maintainers@ptz-collab.example',
    description='Looks at the frames of one camera: detects, tracks, locates, recognises, and sends the best frames.',
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
    entry_points={
        'console_scripts': [
            'perception = ptz_perception.node:main',
            'region_perception = ptz_perception.region_node:main',
        ]
    },
)
