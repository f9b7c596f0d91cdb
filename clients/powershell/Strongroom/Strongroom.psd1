@{
    RootModule           = 'Strongroom.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '6f0c2f5e-4e1b-4f0a-9a57-9f2f4bb6a3c1'
    Author               = 'The Strongroom authors'
    CompanyName          = 'Strongroom'
    Copyright            = '(c) The Strongroom authors. Apache-2.0.'
    Description          = 'Data sets of Strongroom as drives of a Windows server, over rclone and WinFsp.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport    = @('Get-S3RcloneDrive', 'New-S3RcloneDrive', 'Remove-S3RcloneDrive')
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('S3', 'rclone', 'WinFsp', 'Strongroom')
        }
    }
}
